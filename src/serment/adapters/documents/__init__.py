"""Documents on paper: PDF/A through typst, from packaged templates, in memory only."""
