"""Helpers outside: both ends of the line between a practice and its helper, and the file of pairings."""
