BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE evidence (
	context_type TEXT NOT NULL, 
	option TEXT NOT NULL, 
	repository_id INTEGER NOT NULL, 
	sha TEXT NOT NULL, 
	at INTEGER NOT NULL, 
	outcome TEXT NOT NULL, 
	note TEXT NOT NULL, 
	PRIMARY KEY (context_type, option, repository_id, sha), 
	CONSTRAINT outcome_is_object CHECK (json_valid(outcome) AND json_type(outcome) = 'object'), 
	FOREIGN KEY(repository_id) REFERENCES repositories (id)
)
 WITHOUT ROWID,
 STRICT

;
CREATE TABLE failures (
	id INTEGER NOT NULL, 
	archetype TEXT NOT NULL, 
	agent TEXT NOT NULL, 
	step TEXT NOT NULL, 
	error_type TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	description TEXT NOT NULL, 
	occurrence_count INTEGER NOT NULL, 
	confidence REAL NOT NULL, 
	sample_count INTEGER NOT NULL, 
	source TEXT NOT NULL, 
	source_repos TEXT NOT NULL, 
	prior_a REAL NOT NULL, 
	prior_b REAL NOT NULL, 
	quantiles TEXT NOT NULL, 
	shares TEXT NOT NULL, 
	gate TEXT NOT NULL, 
	evidence_context TEXT NOT NULL, 
	evidence_option TEXT NOT NULL, 
	own_successes INTEGER NOT NULL, 
	own_failures INTEGER NOT NULL, 
	own_ema REAL, 
	own_value TEXT NOT NULL, 
	retired INTEGER NOT NULL CONSTRAINT retired_is_0_or_1 CHECK (retired IN (0, 1)), 
	PRIMARY KEY (id), 
	CONSTRAINT source_repos_is_array CHECK (json_valid(source_repos) AND json_type(source_repos) = 'array'), 
	CONSTRAINT quantiles_is_object CHECK (json_valid(quantiles) AND json_type(quantiles) = 'object'), 
	CONSTRAINT shares_is_object CHECK (json_valid(shares) AND json_type(shares) = 'object'), 
	CONSTRAINT gate_is_object CHECK (json_valid(gate) AND json_type(gate) = 'object'), 
	CONSTRAINT own_value_is_object CHECK (json_valid(own_value) AND json_type(own_value) = 'object'), 
	CONSTRAINT confidence_in_range CHECK (confidence >= 0 AND confidence <= 1), 
	CONSTRAINT prior_is_positive CHECK (prior_a > 0 AND prior_b > 0), 
	CONSTRAINT own_is_counted CHECK (own_successes >= 0 AND own_failures >= 0), 
	CONSTRAINT failures_key UNIQUE (archetype, agent, step, error_type, "key")
)
 STRICT

;
INSERT INTO "failures" VALUES(1,'*','x','y','z','','does not work',0,0.05,0,'own','[]',1.0,1.0,'{}','{}','{}','','',0,0,NULL,'{}',0);
CREATE TABLE outcomes (
	uid TEXT NOT NULL, 
	entry_id INTEGER NOT NULL, 
	at TEXT NOT NULL, 
	success INTEGER NOT NULL CONSTRAINT success_is_0_or_1 CHECK (success IN (0, 1)), 
	detail TEXT NOT NULL, 
	PRIMARY KEY (uid), 
	CONSTRAINT detail_is_object CHECK (json_valid(detail) AND json_type(detail) = 'object')
)
 STRICT

;
CREATE TABLE repositories (
	id INTEGER NOT NULL, 
	"key" TEXT NOT NULL, 
	name TEXT NOT NULL, 
	location TEXT NOT NULL, 
	archetype TEXT NOT NULL, 
	archetype_confidence REAL NOT NULL, 
	github_id INTEGER, 
	licence TEXT NOT NULL, 
	stars INTEGER, 
	head TEXT NOT NULL, 
	rules TEXT NOT NULL, 
	issues_until TEXT NOT NULL, 
	facts TEXT NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT facts_is_object CHECK (json_valid(facts) AND json_type(facts) = 'object'), 
	UNIQUE ("key")
)
 STRICT

;
CREATE TABLE runs (
	id INTEGER NOT NULL, 
	at TEXT NOT NULL, 
	source TEXT NOT NULL, 
	change TEXT NOT NULL, 
	gate TEXT NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT change_is_object CHECK (json_valid(change) AND json_type(change) = 'object'), 
	CONSTRAINT gate_is_object CHECK (json_valid(gate) AND json_type(gate) = 'object')
)
 STRICT

;
CREATE INDEX evidence_by_repository ON evidence (repository_id);
CREATE INDEX ix_outcomes_entry_id ON outcomes (entry_id);
COMMIT;
