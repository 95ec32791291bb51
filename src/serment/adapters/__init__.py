"""What touches the world: disk, database, clock, network, documents."""
