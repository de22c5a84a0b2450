"""The commands of `helpdesk`: one module per group, each with `register(app)`.

A module is imported whenever `helpdesk` starts, so it imports what is slow (Prefect, SQLAlchemy) inside its commands.
"""
