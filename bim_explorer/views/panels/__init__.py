"""Thin panels over the session: controls, transport, figures of merit, notices."""
