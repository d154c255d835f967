"""Peers: real servers of other projects, on loopback, with nothing downloaded but the packages of the extra `peers`."""
