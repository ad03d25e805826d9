//! The feed reader without a port: the dump is imported once, and every test has a fork of it.

use std::sync::OnceLock;

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};
use axum::http::{Request, StatusCode};
use datomite::prelude::*;
use datomite_examples::{Token, app};
use datomite_import::{Import, Mapping};
use http_body_util::BodyExt;
use tower::ServiceExt;

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/queryfeed.sql");

/// A database of its own for a test, with everything of the sample in it.
fn fork() -> Connection {
    static SAMPLE_DATABASE: OnceLock<Connection> = OnceLock::new();
    let shared = SAMPLE_DATABASE.get_or_init(|| {
        let conn = datomite::mem();
        conn.import(SAMPLE, &Mapping::default())
            .expect("the sample is imported");
        conn
    });
    shared.fork().expect("a fork")
}

struct Site {
    conn: Connection,
    token: Token,
}

struct Answer {
    status: StatusCode,
    location: Option<String>,
    text: String,
}

impl Site {
    fn new() -> Site {
        let token = Token::random().expect("random bytes");
        Site {
            conn: fork(),
            token,
        }
    }

    fn send(&self, request: Request<Body>) -> Answer {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let app = app(self.conn.clone(), self.token.clone());
            let response = app.oneshot(request).await.expect("an answer");
            let location = response.headers().get(LOCATION);
            let location = location.map(|to| to.to_str().expect("an address").to_owned());
            let status = response.status();
            let body = response
                .into_body()
                .collect()
                .await
                .expect("a body")
                .to_bytes();
            let text = String::from_utf8(body.to_vec()).expect("text");
            Answer {
                status,
                location,
                text,
            }
        })
    }

    fn get(&self, path: &str) -> Answer {
        let bearer = format!("Bearer {}", self.token.reveal());
        let request = Request::get(path).header(AUTHORIZATION, bearer);
        self.send(request.body(Body::empty()).expect("a request"))
    }

    fn post(&self, path: &str, form: &'static str) -> Answer {
        let path = format!("{path}?token={}", self.token.reveal());
        let request = Request::post(path).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(form)).expect("a request"))
    }

    fn t(&self) -> u64 {
        self.conn.db().basis_t().raw()
    }
}

#[test]
fn feeds_stand_with_their_number_of_posts() {
    let page = Site::new().get("/");
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("<h1>120 feeds</h1>"), "{}", page.text);
    assert!(
        page.text
            .contains("<a href=\"/feeds/feed-1\">Quiet signals 1</a>"),
        "{}",
        page.text
    );
    let counted = page
        .text
        .split(": ")
        .skip(1)
        .filter_map(|rest| rest.split_once(" posts"));
    let total: i64 = counted
        .filter_map(|(count, _)| count.parse::<i64>().ok())
        .sum();
    assert_eq!(total, 1500);
}

#[test]
fn a_new_post_is_there_now_and_was_not_before() {
    let site = Site::new();
    let before = site.t();
    let posts = "[:find (count ?p) . :where [?f :feeds/slug \"feed-1\"] [?p :posts/feed ?f]]";
    let count = |db: &Db| {
        db.q(posts)
            .edn()
            .expect("a count")
            .as_long()
            .expect("a number")
    };
    let had = count(&site.conn.db());

    let answer = site.post("/feeds/feed-1/posts", "title=Hello+%3Cworld%3E&body=first");
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text);
    let on = answer.location.expect("an address");
    assert_eq!(on, format!("/feeds/feed-1?token={}", site.token.reveal()));
    assert_eq!(count(&site.conn.db()), had + 1);

    let now = site.get("/feeds/feed-1");
    assert!(
        now.text.contains(&format!("{} posts at", had + 1)),
        "{}",
        now.text
    );
    assert!(
        now.text.contains("Hello &#60;world&#62;"),
        "text is escaped: {}",
        now.text
    );
    let then = site.get(&format!("/feeds/feed-1?as-of={before}"));
    assert!(
        then.text.contains(&format!("{had} posts as of")),
        "{}",
        then.text
    );
    assert!(!then.text.contains("Hello"), "{}", then.text);
}

#[test]
fn posts_are_numbered_by_the_store() {
    let site = Site::new();
    for form in ["title=one", "title=two"] {
        assert_eq!(
            site.post("/feeds/feed-2/posts", form).status,
            StatusCode::SEE_OTHER
        );
    }
    let ids = "[:find ?title ?id :where [?p :posts/id ?id] [(< 1500 ?id)] [?p :posts/title ?title]
                :order-by [?id]]";
    let ids = site.conn.db().q(ids).rows::<(String, i64)>().expect("rows");
    assert_eq!(ids, [("one".to_owned(), 1501), ("two".to_owned(), 1502)]);
}

#[test]
fn a_fork_sees_nothing_of_another() {
    let (ours, theirs) = (Site::new(), Site::new());
    ours.post("/feeds/feed-1/posts", "title=only+here");
    assert!(ours.get("/feeds/feed-1").text.contains("only here"));
    assert!(!theirs.get("/feeds/feed-1").text.contains("only here"));
}

#[test]
fn the_past_may_be_an_instant() {
    let site = Site::new();
    let then = site.get("/feeds/feed-1?as-of=2000-01-01T00:00:00Z");
    assert_eq!(then.status, StatusCode::NOT_FOUND, "{}", then.text);
    let bad = site.get("/feeds/feed-1?as-of=yesterday");
    assert_eq!(bad.status, StatusCode::BAD_REQUEST);
    assert!(
        bad.text.contains("as-of is a t or an instant"),
        "{}",
        bad.text
    );
}

#[test]
fn every_request_needs_the_token() {
    let site = Site::new();
    let other = Token::random().expect("random bytes");
    let paths = ["/", "/feeds/feed-1", "/nowhere"];
    for path in paths.map(str::to_owned) {
        let wrong = format!("{path}?token={}", other.reveal());
        let short = format!("{path}?token=");
        for path in [path, wrong, short] {
            let request = Request::get(path.as_str())
                .body(Body::empty())
                .expect("a request");
            assert_eq!(
                site.send(request).status,
                StatusCode::UNAUTHORIZED,
                "{path}"
            );
        }
    }
    let posting = Request::post("/feeds/feed-1/posts")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from("title=no"))
        .expect("a request");
    let before = site.t();
    assert_eq!(site.send(posting).status, StatusCode::UNAUTHORIZED);
    assert_eq!(site.t(), before);
    let with_address = format!("/?token={}", site.token.reveal());
    let request = Request::get(with_address)
        .body(Body::empty())
        .expect("a request");
    let page = site.send(request);
    assert_eq!(page.status, StatusCode::OK);
    assert!(
        page.text
            .contains(&format!("/feeds/feed-1?token={}", site.token.reveal()))
    );
    assert_eq!(format!("{:?}", site.token), "Token(…)");
}

#[test]
fn what_is_not_there_and_what_makes_no_sense() {
    let site = Site::new();
    assert_eq!(
        site.get("/feeds/no-such-feed").status,
        StatusCode::NOT_FOUND
    );
    assert_eq!(site.get("/nowhere").status, StatusCode::NOT_FOUND);
    let empty = site.post("/feeds/feed-1/posts", "title=++");
    assert_eq!(empty.status, StatusCode::BAD_REQUEST);
}
