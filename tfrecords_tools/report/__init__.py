"""The HTML report on records: charts, sheets and sections; `page.write` puts them together."""
