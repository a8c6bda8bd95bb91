"""The tables of a workspace: Parquet files in ``tables/``, worked on with DuckDB."""
