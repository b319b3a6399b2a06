"""The database: tables, migrations, connections and every SQL statement of Dispatch."""
