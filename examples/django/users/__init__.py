"""The users of the project, kept in step with Clerk."""
