"""Reports for people: tables, plots, text for a terminal, Markdown, CSV and a page of HTML."""
