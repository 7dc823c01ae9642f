"""The endpoints, a module a group."""
