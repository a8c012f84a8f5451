from __future__ import annotations

import pytest
from common.pool import Ahead

CELLS = [{"k": k} for k in range(6)]


def halved(cell: dict[str, int]) -> dict[str, float]:
    return {"half": cell["k"] / 2}


@pytest.mark.parametrize("threads", [1, 2])
def test_cells_keep_their_order_and_finished_ones_are_passed_over(threads: int) -> None:
    with Ahead(halved, CELLS, threads) as work:
        assert [work(CELLS[k])["half"] for k in (2, 4, 5)] == [1.0, 2.0, 2.5]


# what dask itself says when its loops end
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::DeprecationWarning:distributed")
def test_workers_of_a_scheduler_find_the_same() -> None:
    pytest.importorskip("distributed", reason="the extra scale is not installed")
    with Ahead(halved, CELLS, 2, 2, "local") as work:
        assert [work(CELLS[k])["half"] for k in (2, 4, 5)] == [1.0, 2.0, 2.5]
