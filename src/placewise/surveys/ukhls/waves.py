"""What differs from wave to wave: the letter, the self-completion weight, the missing codes."""

from __future__ import annotations

from collections.abc import Mapping

WAVES = tuple("abcdefghijklmno")

# Cross-sectional weight of those who answered the self-completion questionnaire, which asks about the neighbourhood.
# Wave o's is expected to be called as wave n's, which no source confirms: the user has to.
WEIGHTS: Mapping[str, str] = {
    "a": "indscus_xw",
    **dict.fromkeys("bcde", "indscub_xw"),
    **dict.fromkeys("fghijklm", "indscui_xw"),
    "n": "indscg2_xw",
}
UNCONFIRMED_WEIGHTS: Mapping[str, str] = {"o": "indscg2_xw"}

# Any other negative number is a value.
MISSING: Mapping[int, str] = {
    -1: "don't know",
    -2: "refusal",
    -7: "proxy interview",
    -8: "inapplicable",
    -9: "missing",
}
MISSING_IN_WAVE: Mapping[str, Mapping[int, str]] = {
    "f": {-10: "not available for the ethnic minority boost sample", -11: "asked of the boost sample only"},
}
MISSING_ACROSS_WAVES: Mapping[int, str] = {-20: "no data from BHPS", -21: "no data from UKHLS"}

ACROSS = "xwavedat"
PERSON = "pidp"
WAVE = "wave"
# Made by the reader itself.
OWN = (WAVE, PERSON)


def missing_codes(wave: str, file: str = "indresp") -> dict[int, str]:
    """Reserved codes of one wave's file, with what they mean.

    Parameters
    ----------
    wave : str
        Its letter.
    file : str
        Stem of the file without the wave's letter; ``xwavedat`` has codes of its own.

    Examples
    --------
    >>> sorted(missing_codes("c")), sorted(missing_codes("c", "xwavedat"))[:2]
    ([-9, -8, -7, -2, -1], [-21, -20])
    """
    own = MISSING_ACROSS_WAVES if file == ACROSS else MISSING_IN_WAVE.get(wave, {})
    return {**MISSING, **own}


def number(wave: str) -> int:
    """Number of a wave, 1 for ``a``."""
    return WAVES.index(wave) + 1


def prefixed(name: str, wave: str) -> str:
    """A variable's name in one wave: ``{w}`` replaced, or the letter put before a name without it.

    Examples
    --------
    >>> prefixed("indscui_xw", "f"), prefixed("{w}_oslaua", "f"), prefixed("f_sex", "f")
    ('f_indscui_xw', 'f_oslaua', 'f_sex')
    """
    if "{w}" in name:
        return name.replace("{w}", wave)
    return name if name.startswith(f"{wave}_") else f"{wave}_{name}"
