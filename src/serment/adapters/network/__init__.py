"""The network as an audit sees it: discovery, ports, and probes that count and never keep."""
