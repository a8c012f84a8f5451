import dataclasses
from pathlib import Path

import placewise
from placewise.models.priors import Prior
from placewise.models.spec import ModelSpec, OutcomeSpec
from placewise.pipeline.fingerprint import SOURCES, code_digest, file_digest, fingerprint, library_versions
from placewise.pipeline.inputs import CODE

SPEC = ModelSpec(
    OutcomeSpec("health", "Health", ("cls",), "bernoulli"),
    "age + (1 | lad)",
    priors={"sd": Prior("gamma", (4.0, 25.0)), "slope": Prior("normal", (0.0, 1.0))},
)


def test_equal_parts_have_equal_fingerprints_whatever_the_order_of_keys():
    again = dataclasses.replace(SPEC, priors=dict(reversed(SPEC.priors.items())))
    assert fingerprint(model=SPEC, seed=1) == fingerprint(seed=1, model=again)


def test_every_part_counts():
    prints = {
        fingerprint(model=SPEC, seed=1),
        fingerprint(model=SPEC, seed=2),
        fingerprint(model=SPEC, seed=True),
        fingerprint(model=SPEC, seed="1"),
        fingerprint(model=SPEC, seed=None),
        fingerprint(model=dataclasses.replace(SPEC, formula="age"), seed=1),
        fingerprint(model=dataclasses.replace(SPEC, priors={}), seed=1),
    }
    assert len(prints) == 7


def test_a_moved_file_keeps_its_fingerprint():
    assert fingerprint(table=Path("/a/areas.csv")) == fingerprint(table=Path("/b/areas.csv"))
    assert fingerprint(table=Path("/a/areas.csv")) != fingerprint(table=Path("/a/areas2.csv"))


def test_file_digest_is_sha256(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert file_digest(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_code_of_different_parts_differs():
    found = {code_digest("models"), code_digest("estimates"), code_digest("pipeline/load.py"), code_digest("publish")}
    assert len(found) == 4


def test_every_part_that_a_stage_names_exists():
    root = Path(placewise.__file__).parent
    assert [part for parts in CODE.values() for part in parts if not (root / part).exists()] == []
    names = {path.suffix for path in (root / "publish").rglob("*") if path.is_file() and path.suffix != ".pyc"}
    assert names <= SOURCES


def test_versions_name_python_and_numpy():
    assert {"python", "numpy", "placewise"} <= set(library_versions())
