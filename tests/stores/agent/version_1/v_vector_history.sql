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
INSERT INTO "evidence" VALUES('repair_strategy','import_fix',1,'6100000000000000000000000000000000000000',1600000000,'{"files":1,"lines":1,"with_tests":"no"}','');
INSERT INTO "evidence" VALUES('repair_strategy','import_fix',1,'6100000000000000000000000000000000000001',1600000001,'{"files":2,"lines":2,"with_tests":"yes"}','');
INSERT INTO "evidence" VALUES('repair_strategy','import_fix',1,'6100000000000000000000000000000000000002',1600000002,'{"files":3,"lines":3,"with_tests":"no"}','');
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
INSERT INTO "outcomes" VALUES('ef58eaa122be4606b8df5f89dd365d94',1,'2026-11-28T20:54:49.139255+00:00',1,'{"note":"ñ","value":{"lines":3}}');
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
INSERT INTO "repositories" VALUES(1,'root:a','a','/a','*',0.0,NULL,'',NULL,'','','','{}');
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
INSERT INTO "runs" VALUES(1,'2026-11-28T20:54:49.118061+00:00','history:test','{"entries_added":1,"entries_changed":0,"entries_retired":0,"evidence_added":3,"evidence_removed":0,"repositories":1}','{}');
CREATE TABLE v_vectors (
	id INTEGER NOT NULL, 
	context_type TEXT NOT NULL, 
	archetype TEXT NOT NULL, 
	option TEXT NOT NULL, 
	evolved_value TEXT NOT NULL, 
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
	CONSTRAINT evolved_value_is_object CHECK (json_valid(evolved_value) AND json_type(evolved_value) = 'object'), 
	CONSTRAINT source_repos_is_array CHECK (json_valid(source_repos) AND json_type(source_repos) = 'array'), 
	CONSTRAINT quantiles_is_object CHECK (json_valid(quantiles) AND json_type(quantiles) = 'object'), 
	CONSTRAINT shares_is_object CHECK (json_valid(shares) AND json_type(shares) = 'object'), 
	CONSTRAINT gate_is_object CHECK (json_valid(gate) AND json_type(gate) = 'object'), 
	CONSTRAINT own_value_is_object CHECK (json_valid(own_value) AND json_type(own_value) = 'object'), 
	CONSTRAINT confidence_in_range CHECK (confidence >= 0 AND confidence <= 1), 
	CONSTRAINT prior_is_positive CHECK (prior_a > 0 AND prior_b > 0), 
	CONSTRAINT own_is_counted CHECK (own_successes >= 0 AND own_failures >= 0), 
	CONSTRAINT v_vectors_key UNIQUE (context_type, archetype, option)
)
 STRICT

;
INSERT INTO "v_vectors" VALUES(1,'repair_strategy','*','import_fix','{"max_edits":3}',6.84087191977754693894e-01,3,'history:test','[]',18.0,4.0,'{"files":{"n":3,"n_repos":1,"p50":2.0,"p75":3.0,"p90":3.0},"lines":{"n":3,"n_repos":1,"p50":2.0,"p75":3.0,"p90":3.0}}','{"with_tests":{"no":0.666667,"yes":0.333333}}','{}','repair_strategy','import_fix',1,0,8.36363636363636420156e-01,'{"lines":3}',0);
CREATE INDEX evidence_by_repository ON evidence (repository_id);
CREATE INDEX ix_outcomes_entry_id ON outcomes (entry_id);
COMMIT;
