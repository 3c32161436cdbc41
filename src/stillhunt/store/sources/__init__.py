"""Where a store's exchanges come from: a folder that a collector writes to, or a Kafka topic."""
