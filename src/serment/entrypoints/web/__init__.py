"""The web: pages for people and DICOMweb reads for machines; holds sessions, never seals."""
