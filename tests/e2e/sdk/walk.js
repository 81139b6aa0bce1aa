// Follow every link of the message store and the call log with the vendor's SDK for JavaScript.
//
// usage: node walk.js ORIGIN
//
// What is at ORIGIN holds the credential (`authProxy`), so there is no token here. One JSON
// object on standard output tells what was found; `outside` are the URIs that do not begin
// with ORIGIN.

'use strict';

const {SDK} = require('@ringcentral/sdk');

const LISTS = ['message-store', 'call-log'];

function findUris(value) {
    if (value !== null && typeof value === 'object') return Object.values(value).flatMap(findUris);
    return typeof value === 'string' && /^https?:\/\//.test(value) ? [value] : [];
}

function findContents(record) {
    const found = (record.attachments || []).map(attachment => attachment.uri);
    return record.recording ? [...found, record.recording.contentUri] : found;
}

async function refused(act) {
    try {
        await act();
    } catch (error) {
        return error.message;
    }
    return '';
}

async function main(origin) {
    const options = {server: origin, clientId: 'made-up-id', clientSecret: 'made-up-secret'};
    const platform = new SDK({...options, authProxy: true}).platform();
    const outside = [];
    const pages = {};
    let contents = 0;
    for (const name of LISTS) {
        pages[name] = 0;
        let uri = `/restapi/v1.0/account/~/extension/~/${name}?perPage=4`;
        while (uri) {
            const page = await (await platform.get(uri)).json();
            pages[name] += 1;
            outside.push(...findUris(page).filter(found => !found.startsWith(`${origin}/`)));
            for (const at of page.records.flatMap(findContents)) {
                contents += (await (await platform.get(at)).arrayBuffer()).byteLength > 0;
            }
            uri = (page.navigation.nextPage || {}).uri;
        }
    }
    const login = await refused(() => platform.login({jwt: 'made-up'}));
    const logout = await refused(() => platform.logout());
    process.stdout.write(JSON.stringify({outside, pages, contents, login, logout}));
}

main(process.argv[2]);
