"""Self-contained HTML pages: pieces of HTML, charts as SVG, and the page on one run."""
