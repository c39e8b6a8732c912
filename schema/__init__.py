"""What clients see: Strawberry types, Query, Mutation and Subscription; `schema.graphql` is their printed form."""
