"""What a visitor sees first: words, the share of the screen that is result, Tab stops, and what axe-core finds.

    python -m benchmarks.first_screen [--axe axe.min.js] [--page attention]

Starts a server, opens a page at 1440 x 900 in light and dark, and prints the counts. axe-core is not part of the
project: `npm pack axe-core` brings it.
"""

import argparse
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, ViewportSize, sync_playwright

from benchmarks.browser import running_server, wait_for
from tests import chromium

SIZE: ViewportSize = {"width": 1440, "height": 900}
# Counts words in sight, but those of the text, quoted from it or tried in it; the share of the screen that results
# take; where the text begins.
COUNTS = """() => {
  const aside = '[data-testid=stIconMaterial], .unseen, .ground, textarea, .tip';
  const quoted = '.w, .because b, .hero .read, .fall-word, .phrases .text, .bar .name, .details .name, code, .note b' +
    ', bdi, .try .name';
  const pictures = '.hero, .opinions, .fall, .phrases, .details, .tries, .graph, .matrix, .readings, .strip, .chart';
  const words = [];
  const count = (node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    const box = range.getBoundingClientRect(), frame = node.parentElement.getBoundingClientRect();
    const shown = node.parentElement.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    if (!shown || Math.min(box.width, box.height, frame.width) <= 1) return;
    if (box.top >= innerHeight || box.bottom <= 0) return;
    if (node.parentElement.closest(aside) || node.parentElement.closest(quoted)) return;
    words.push(...node.data.split(/\\s+/).filter((word) => /\\p{L}/u.test(word)));
  };
  const visit = (node) => {
    if (node.nodeType === Node.TEXT_NODE) return count(node);
    if (node.nodeType !== Node.ELEMENT_NODE || ['SCRIPT', 'STYLE'].includes(node.tagName) || node.inert) return;
    if (node.tagName === 'DETAILS' && !node.open) return visit(node.querySelector('summary'));
    (node.shadowRoot ?? node).childNodes.forEach(visit);
  };
  visit(document.body);
  const roots = [...document.querySelectorAll('*')].map((node) => node.shadowRoot).filter(Boolean);
  const boxes = (selector) => roots
    .flatMap((root) => [...root.querySelectorAll(selector)])
    .map((node) => node.getBoundingClientRect());
  const results = boxes(pictures);
  const inside = (x, y) => results.some((box) => box.left <= x && x < box.right && box.top <= y && y < box.bottom);
  let covered = 0;
  for (let y = 2; y < innerHeight; y += 4) for (let x = 2; x < innerWidth; x += 4) covered += inside(x, y) ? 16 : 0;
  return { words, share: covered / (innerWidth * innerHeight), top: Math.round(boxes('.hero .read')[0]?.top ?? -1) };
}"""


def main() -> None:
    """Print the counts."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.first_screen", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--axe", type=Path, help="axe.min.js of axe-core; without it nothing is checked")
    parser.add_argument("--page", default="", help="path of the page, such as attention")
    options = parser.parse_args()
    with running_server() as url:
        wait_for(f"{url}/ready")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium.find(), args=chromium.ARGUMENTS)
            for scheme in ("light", "dark"):
                page = browser.new_context(viewport=SIZE, color_scheme=scheme, bypass_csp=True).new_page()
                page.goto(f"{url}/{options.page}")
                page.get_by_text("Export", exact=True).first.wait_for()
                page.wait_for_timeout(2000)
                print_counts(page, scheme, options.axe)


def print_counts(page: Page, scheme: str, axe: Path | None) -> None:
    """Print the counts of a page that is drawn."""
    counts = page.evaluate(COUNTS)
    words, share, top = len(counts["words"]), counts["share"], counts["top"]
    print(f"{scheme}: {words} words in sight, {share:.0%} of the screen are results, the text begins at y = {top}")
    print(f"  Tab stops to the text: {tab_stops(page)}")
    if axe is None:
        return
    page.evaluate(axe.read_text(encoding="utf-8"))
    for finding in page.evaluate("axe.run().then((run) => run.violations)"):
        print(f"  {finding['impact']}: {finding['id']}, {len(finding['nodes'])} places: {targets(finding)}")


def targets(finding: dict[str, Any]) -> str:
    """Return where a fault was found, the first few places."""
    return "; ".join(str(node["target"][-1])[:70] for node in finding["nodes"][:4])


def tab_stops(page: Page) -> int:
    """Return how often Tab is pressed until the text, or its skip link, has the focus."""
    page.locator("body").evaluate("() => document.activeElement.blur()")
    for count in range(1, 60):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.matches('.explain-skip')"):
            return count
    return -1


if __name__ == "__main__":
    main()
