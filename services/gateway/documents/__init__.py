"""Documents of the REST API, a module a resource: what OpenAPI shows and the routes answer. Unknown is null."""
