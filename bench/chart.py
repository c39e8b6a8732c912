"""The chart: small panels of bars, one for each question, that read well in light and in dark."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from bench.figures import OURS, Results, written
from bench.systems import SYSTEMS

FILE = "chart.svg"

COLUMNS = 3
WIDTH = 1000
GAP = 28
PANEL_WIDTH = (WIDTH - GAP * (COLUMNS + 1)) / COLUMNS
TITLE_HEIGHT = 46
BAR_HEIGHT = 14
ROW_HEIGHT = 34  # a system's name, and its bar under it
NUMBER_WIDTH = 56  # kept free at the end of the longest bar

STYLE = """
  text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; font-size: 12px; fill: #57606a }
  .title { font-size: 14px; font-weight: 600; fill: #1f2328 }
  .ours { fill: #1f2328; font-weight: 600 }
  .number { fill: #1f2328; font-variant-numeric: tabular-nums }
  .bar { fill: #afb8c1 }
  .bar.ours { fill: #0969da }
  @media (prefers-color-scheme: dark) {
    text { fill: #9198a1 }
    .title, .ours, .number { fill: #f0f6fc }
    .bar { fill: #4b535d }
    .bar.ours { fill: #4493f8 }
  }
"""


@dataclass(frozen=True, slots=True)
class Panel:
    """One question, and each system's answer in the order that they are drawn."""

    title: str
    note: str
    bars: tuple[tuple[str, float], ...]  # system, figure

    @property
    def height(self) -> float:
        """How much room it takes."""
        return TITLE_HEIGHT + ROW_HEIGHT * len(self.bars)


def draw(results: Results) -> str:
    """Draw the chart as SVG."""
    shown = list(panels(results))
    rows = [shown[start : start + COLUMNS] for start in range(0, len(shown), COLUMNS)]
    parts, top = [], float(GAP)
    for row in rows:
        for place, panel in enumerate(row):
            parts.append(_panel(panel, GAP + place * (PANEL_WIDTH + GAP), top))
        top += max(panel.height for panel in row) + GAP
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top:.0f}" role="img" '
        f'aria-label="Workflow Sync beside others">\n<style>{STYLE}</style>\n{body}\n</svg>\n'
    )


def panels(results: Results) -> Iterator[Panel]:
    """Choose what is shown of the results."""
    wanted = [
        ("whole", "rate", "Whole document of {} kB", "saves/s: more is better"),
        ("read", "rate", "Reading {} kB", "reads/s: more is better"),
        ("flood", "deliveries", "1,000 subscribers", "deliveries/s: more is better"),
        ("storm", "storm_ms", "1,000 sockets come back", "ms until up to date: less is better"),
    ]
    for workload, figure, title, note in wanted:
        for (name, size), rows in results.items():
            if name == workload and OURS in rows:
                bars = tuple((system, row[figure]) for system, row in rows.items())
                yield Panel(title.format(size), note, bars)


def _panel(panel: Panel, left: float, top: float) -> str:
    scale = (PANEL_WIDTH - NUMBER_WIDTH) / max(figure for _, figure in panel.bars)
    bars = (
        _bar(system, figure, figure * scale, left, top + TITLE_HEIGHT + place * ROW_HEIGHT)
        for place, (system, figure) in enumerate(panel.bars)
    )
    return "\n".join([_text(panel.title, left, top + 12, "title"), _text(panel.note, left, top + 30), *bars])


def _bar(system: str, figure: float, length: float, left: float, top: float) -> str:
    kind = "ours" if system == OURS else ""
    name = _text(SYSTEMS[system].title, left, top + 9, kind)
    place = f'x="{left:.1f}" y="{top + 14:.1f}" width="{max(2, length):.1f}" height="{BAR_HEIGHT}"'
    number = _text(written(figure), left + length + 6, top + 25, "number")
    return f'{name}<rect class="bar {kind}" {place} rx="3"/>{number}'


def _text(text: str, left: float, top: float, kind: str = "") -> str:
    return f'<text class="{kind}" x="{left:.1f}" y="{top:.1f}">{escape(text)}</text>'
