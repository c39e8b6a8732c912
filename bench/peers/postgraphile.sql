-- What PostGraphile serves: the peers' table, of which each user sees their own rows, and a function that saves.
CREATE ROLE visitor;
GRANT SELECT, INSERT, UPDATE ON workflow TO visitor;
ALTER TABLE workflow ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON workflow TO visitor USING (user_id = current_setting('app.user_id', true));

CREATE FUNCTION save_workflow(id text, state jsonb) RETURNS workflow LANGUAGE sql VOLATILE AS $$
    INSERT INTO workflow (id, user_id, state) VALUES (id, current_setting('app.user_id'), state)
    ON CONFLICT (id) DO UPDATE SET state = excluded.state, version = workflow.version + 1, updated_at = now()
    RETURNING *
$$;

COMMENT ON COLUMN workflow.updated_at IS '@behavior +orderBy'; -- which has no index, or every save would cost more
