"""The way into the receiver for what does not come by DIMSE: STOW-RS bodies, imports, documents.

The process that holds sessions never seals an arrival: it hands the bytes over a Unix socket to
the receiver, which holds public keys only. `server` is the receiver's side, `client` the command
line's, `aclient` the web's, `framing` what they say to each other.
"""
