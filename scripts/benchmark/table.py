"""The table that scripts/bench prints."""


def heading():
    print(f"{'what':<52} {'ours':>9} {'theirs':>9} {'':<4} {'ratio':>7}  target")


def row(what, ours, theirs, unit, target, at_most):
    """One comparison, and whether the ratio of the two figures is at most what it should be."""
    if theirs:
        ratio = ours / theirs
    else:
        ratio = float("inf") if ours else 0.0
    verdict = "ok" if ratio <= at_most else "MISSED"
    print(f"{what:<52} {ours:>9.1f} {theirs:>9.1f} {unit:<4} {ratio:>7.3f}  {target:<8} {verdict}", flush=True)
