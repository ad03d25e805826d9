-- What happens to the sample database in one day.

UPDATE users SET status = 'active', last_seen = '2026-11-22' WHERE status = 'invited' AND id % 5 = 0;
UPDATE users SET email = 'moved17@example.org', url = NULL WHERE id = 17;
UPDATE feeds SET title = 'Evening letters, again' WHERE id = 3;
UPDATE orders SET state = 'order_state/refunded' WHERE id IN (12, 48, 301);
UPDATE orders SET amount = 39.00 WHERE id = 600;
UPDATE posts SET read_count = read_count + 250, scores = array_append(scores, 99) WHERE id IN (5, 6, 7);
UPDATE posts SET reply_to = NULL WHERE id = (SELECT min(id) FROM posts WHERE reply_to IS NOT NULL);

DELETE FROM subscriptions WHERE id IN (9, 10);
DELETE FROM post_tags WHERE (post_id, tag_id) IN (SELECT post_id, tag_id FROM post_tags ORDER BY 1, 2 LIMIT 2);

INSERT INTO users (email, name, status, source, token, created_at)
VALUES ('reader401@example.org', 'iris lake', 'active', 'organic', md5('token401')::uuid, '2026-11-22 05:12:00+00');
INSERT INTO posts (feed_id, author_id, title, body, read_count, published_at)
VALUES (3, 401, 'On winter', 'First of the season.', 1, '2026-11-22 05:30:00+00');
INSERT INTO post_tags (post_id, tag_id) VALUES (1501, 10), (1501, 1);
INSERT INTO subscriptions (user_id, feed_id, since) VALUES (401, 3, '2026-11-22');

ALTER TYPE user_status ADD VALUE 'archived';
ALTER TABLE users ADD COLUMN locale text;
UPDATE users SET locale = 'en' WHERE id IN (1, 2, 3);
