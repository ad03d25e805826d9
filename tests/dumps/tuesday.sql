-- The database of monday.sql on the next day.
CREATE TYPE mood AS ENUM ('sad','fine','ok','glad');
CREATE TYPE addr AS (street text, city text);
CREATE TABLE u (id int primary key, name text, m mood, age int, home addr, tags text[], boss int);
CREATE TABLE k (a int, b text, v text, primary key (a,b));
CREATE TABLE kk (u_id int, n int, v text, primary key (u_id, n));
CREATE TABLE t (id int primary key, label text);
CREATE TABLE ut (u_id int, t_id int, primary key (u_id,t_id));
CREATE TABLE nokey (a int, b text);
CREATE TABLE other (id int primary key, z text);
CREATE TABLE dang (id int primary key, u_id int);
CREATE TABLE w (x1 int, y1 int, primary key (x1,y1));
CREATE TABLE wr (id int primary key, wx int, wy int);
COPY u (id,name,m,age,home,tags,boss) FROM stdin;
4	dan	glad	5	\N	{q}	1
2	bob	ok	\N	("n st",Y)	{}	\N
1	anne	sad	40	("a st",Z)	{a,c}	4
9	ina	\N	\N	\N	\N	\N
\.
COPY k (a,b,v) FROM stdin;
1	x	one
1	y	zwei
3	x	new
\.
COPY kk (u_id,n,v) FROM stdin;
2	1	r
1	2	Q
4	1	s
\.
COPY t (id,label) FROM stdin;
1	red
2	blue
\.
COPY ut (u_id,t_id) FROM stdin;
1	2
4	1
\.
COPY nokey (a,b) FROM stdin;
2	e
1	d
\N	\N
\N	\N
3	f
\.
COPY dang (id,u_id) FROM stdin;
1	9
2	1
\.
COPY w (x1,y1) FROM stdin;
1	1
1	9
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
