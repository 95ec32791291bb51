"""The demonstration: a fictional practice that sends, opens and is searched by a thief."""
