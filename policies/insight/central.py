"""Who is turned to, by the graph of who answered whom.

ExpertiseRank (Zhang, Ackerman and Adamic, "Expertise Networks in Online Communities", WWW 2007): PageRank
over arrows from askers to those who answered them. It counts for more to have answered somebody who answers
others well.
"""

from __future__ import annotations

from collections.abc import Iterable

_DAMPING = 0.85
_ROUNDS = 1000


def centrality(answered: Iterable[tuple[str, str, float]]) -> dict[str, float]:
    """Everybody's PageRank beside the mean, which is 1; `answered`: (who asked, who answered, how much)."""
    import rustworkx  # heavy, and only asked for with `score: pagerank`

    graph: rustworkx.PyDiGraph[str, float] = rustworkx.PyDiGraph(multigraph=False)
    numbers: dict[str, int] = {}
    for asker, answerer, weight in answered:
        for who in (asker, answerer):
            if who not in numbers:
                numbers[who] = graph.add_node(who)
        graph.add_edge(numbers[asker], numbers[answerer], weight)
    ranks = rustworkx.pagerank(graph, alpha=_DAMPING, weight_fn=float, max_iter=_ROUNDS)
    return {who: ranks[number] * len(numbers) for who, number in numbers.items()}
