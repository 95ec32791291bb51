"""The blast radius: what somebody with certain keys, or at a certain place, could read, and why."""
