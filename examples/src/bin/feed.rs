//! Serves the feed reader on this machine: `feed` reads data/queryfeed.sql into memory,
//! `feed FOLDER` opens a database that was imported before.

use std::error::Error;
use std::net::Ipv4Addr;

use datomite::Connection;
use datomite_examples::{Token, app};
use datomite_import::{Import, Mapping};

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/queryfeed.sql");

fn main() -> Result<(), Box<dyn Error>> {
    let conn = connection(std::env::args().nth(1).as_deref())?;
    let token = Token::random().map_err(|error| error.to_string())?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    runtime.block_on(serve(conn, token))
}

fn connection(folder: Option<&str>) -> Result<Connection, Box<dyn Error>> {
    if let Some(folder) = folder {
        return Ok(datomite::connect(folder)?);
    }
    let conn = datomite::mem();
    conn.import(SAMPLE, &Mapping::default())?;
    Ok(conn)
}

/// Only this machine can reach it, and only who reads the line below may ask.
async fn serve(conn: Connection, token: Token) -> Result<(), Box<dyn Error>> {
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!(
        "http://{}/?token={}",
        listener.local_addr()?,
        token.reveal()
    );
    axum::serve(listener, app(conn, token)).await?;
    Ok(())
}
