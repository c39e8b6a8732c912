-- Where Hocuspocus keeps its documents.
CREATE TABLE document (name text PRIMARY KEY, state bytea NOT NULL);
