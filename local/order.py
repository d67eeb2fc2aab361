"""Calls a function for each node of a graph: in parallel where possible, never before the nodes
that a node comes after. Knows a graph and threads; does not know what the function does."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait


def walk(after: Mapping[str, Iterable[str]], act: Callable[[str], None]) -> list[BaseException]:
    """Call `act(name)` for each key of `after`, once all the keys among after[name] are done. After
    the first error no further call begins. Returns the errors. Raises ValueError when the graph has
    a cycle."""
    waiting = list(after)
    done: set[str] = set()
    errors: list[BaseException] = []
    jobs: dict[Future[None], str] = {}
    with ThreadPoolExecutor(max_workers=max(1, len(waiting))) as pool:
        while waiting or jobs:
            free = [] if errors else [name for name in waiting if done.issuperset(after.keys() & set(after[name]))]
            for name in free:
                waiting.remove(name)
                jobs[pool.submit(act, name)] = name
            if not jobs:
                break
            for job in wait(jobs, return_when=FIRST_COMPLETED).done:
                name, error = jobs.pop(job), job.exception()
                if error is None:
                    done.add(name)
                else:
                    errors.append(error)
    if waiting and not errors:
        raise ValueError(f"these services wait for each other: {', '.join(waiting)}")
    return errors


def reverse(after: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """The reversed graph: each name comes after those that came after it."""
    return {name: [other for other, earlier in after.items() if name in earlier] for name in after}
