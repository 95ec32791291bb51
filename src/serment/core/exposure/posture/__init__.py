"""How well a workstation is kept: twelve checks on what the machine says of itself. Pure."""
