"""What lets people and machines in: command line, web pages, DICOMweb, DICOM associations."""
