-- A small database on one day; tuesday.sql is the same on the next. See later.rs.
CREATE TYPE mood AS ENUM ('sad','ok');
CREATE TYPE addr AS (street text, city text);
CREATE TABLE u (id int primary key, name text, m mood, home addr, tags text[], boss int);
CREATE TABLE k (a int, b text, v text, primary key (a,b));
CREATE TABLE kk (u_id int, n int, v text, primary key (u_id, n));
CREATE TABLE t (id int primary key, label text);
CREATE TABLE ut (u_id int, t_id int, primary key (u_id,t_id));
CREATE TABLE nokey (a int, b text);
CREATE TABLE other (id int primary key, z text);
CREATE TABLE dang (id int primary key, u_id int);
CREATE TABLE w (x1 int, y1 int, ref int, primary key (x1,y1));
CREATE TABLE wr (id int primary key, wx int, wy int);
COPY u (id,name,m,home,tags,boss) FROM stdin;
1	ann	sad	("a st",X)	{a,b}	\N
2	bob	ok	\N	{}	1
3	cec	\N	("c st",)	\N	2
\.
COPY k (a,b,v) FROM stdin;
1	x	one
1	y	two
2	x	\N
\.
COPY kk (u_id,n,v) FROM stdin;
1	1	p
1	2	q
2	1	r
\.
COPY t (id,label) FROM stdin;
1	red
2	blue
\.
COPY ut (u_id,t_id) FROM stdin;
1	1
1	2
2	2
\.
COPY nokey (a,b) FROM stdin;
1	d
1	d
\N	\N
2	e
\.
COPY other (id,z) FROM stdin;
1	keep
\.
COPY dang (id,u_id) FROM stdin;
1	9
2	1
\.
COPY w (x1,y1,ref) FROM stdin;
1	1	7
1	2	8
\.
COPY wr (id,wx,wy) FROM stdin;
1	1	1
2	1	9
3	1	\N
\.
ALTER TABLE ONLY u ADD CONSTRAINT a1 FOREIGN KEY (boss) REFERENCES u(id);
ALTER TABLE ONLY kk ADD CONSTRAINT a2 FOREIGN KEY (u_id) REFERENCES u(id);
ALTER TABLE ONLY ut ADD CONSTRAINT a3 FOREIGN KEY (u_id) REFERENCES u(id);
ALTER TABLE ONLY ut ADD CONSTRAINT a4 FOREIGN KEY (t_id) REFERENCES t(id);
ALTER TABLE ONLY dang ADD CONSTRAINT a5 FOREIGN KEY (u_id) REFERENCES u(id) NOT VALID;
ALTER TABLE ONLY wr ADD CONSTRAINT a6 FOREIGN KEY (wx,wy) REFERENCES w(x1,y1) NOT VALID;
