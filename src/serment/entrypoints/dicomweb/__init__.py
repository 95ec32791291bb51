"""DICOMweb (PS3.18): STOW-RS hands bodies to the receiver; QIDO-RS and WADO-RS read in a session."""
