"""Who is calling: one module for each way of signing in; all give a `resolvers.context.Viewer`."""
