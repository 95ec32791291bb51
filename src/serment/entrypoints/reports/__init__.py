"""What people are handed: the picture of the practice, and reports as a page or on paper."""
