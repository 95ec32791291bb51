"""The DICOM network service: a C-ECHO and C-STORE provider on an upper layer of our own.

`server` listens, `association` runs one association, `messages` what is said on it, `negotiation`
what is agreed, `wire` how bytes cross, `limits` what one peer may take. Units and command sets as
bytes are `core.dicom.pdu` and `core.dicom.dimse`.
"""
