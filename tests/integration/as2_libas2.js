// Node's libas2 as a peer: `serve` takes messages apart and answers with its own MDNs, `send` posts one message.
// argv: serve|send, folder with libas2, JSON of {port, url, own: {id, cert, key}, other: {id, cert}, payload}. Prints lines of JSON.
'use strict'
const fs = require('fs')
const http = require('http')
const path = require('path')

const [,, mode, folder, text] = process.argv
const { AS2Composer, AS2Parser } = require(path.join(folder, 'node_modules', 'libas2'))
const o = JSON.parse(text)

const agreement = (mdn) => ({
  host: {
    name: o.own.id, id: o.own.id, url: 'http://127.0.0.1:' + (o.port || 1) + '/as2', role: 'host',
    certificate: fs.readFileSync(o.own.cert), privateKey: fs.readFileSync(o.own.key), decrypt: true, sign: 'sha-256', mdn
  },
  partner: {
    name: o.other.id, id: o.other.id, url: o.url || 'http://127.0.0.1:1/as2', role: 'partner', file: 'EDIX12',
    certificate: fs.readFileSync(o.other.cert), encrypt: 'aes256-CBC', verify: true
  }
})

const say = (what) => process.stdout.write(JSON.stringify(what) + '\n')

async function answer (request, response, body) {
  // it reads what is encrypted from base64 only
  const headers = request.rawHeaders.map((h) => h === 'binary' ? 'base64' : h)
  const node = await AS2Parser.parse({ headers, content: body.toString('base64').replace(/.{76}/g, '$&\r\n') })
  const { contentNode, dispositionNode } = await node.dispositionOut({ agreement: agreement({ async: false, signing: false }) })
  say({ id: request.headers['message-id'], payload: Buffer.from(contentNode ? contentNode.content : '').toString('base64') })
  const mdn = await dispositionNode.buildObject()
  response.writeHead(200, mdn.headers)
  response.end(mdn.body)
}

function serve () {
  http.createServer((request, response) => {
    const chunks = []
    request.on('data', (c) => chunks.push(c))
    request.on('end', () => answer(request, response, Buffer.concat(chunks)).catch((e) => {
      say({ id: request.headers['message-id'], error: String(e) })
      response.writeHead(500)
      response.end(String(e))
    }))
  }).listen(o.port, '127.0.0.1', () => say({ ready: true }))
}

async function send () {
  const composer = new AS2Composer({
    message: { filename: 'node.edi', contentType: 'application/edi-x12', content: Buffer.from(o.payload, 'base64') },
    agreement: agreement({ async: false, signing: 'sha-256' }),
    additionalHeaders: []
  })
  const options = await composer.toRequestOptions()
  const url = new URL(o.url)
  const request = http.request({ host: url.hostname, port: url.port, path: url.pathname, method: 'POST', headers: options.headers }, (response) => {
    const chunks = []
    response.on('data', (c) => chunks.push(c))
    response.on('end', () => say({
      status: response.statusCode, headers: response.headers, id: composer.message.messageId(), body: Buffer.concat(chunks).toString('base64')
    }))
  })
  request.on('error', (e) => say({ error: String(e) }))
  request.end(options.body)
}

if (mode === 'serve') serve()
else send().catch((e) => say({ error: String(e.stack) }))
