"""What a practice keeps: patients, envelopes, objects, members, devices, and the keys between them."""
