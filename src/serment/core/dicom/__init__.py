"""DICOM data sets: header walking, Part 10 files, DICOM JSON, matching, pixels; the only importer of pydicom."""
