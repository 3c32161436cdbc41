"""Layer 3. Who acts as one: indicators, the null model, links, clusters, and their test."""
