// A certificate authority of its own, and a certificate for 127.0.0.1 that it signed; made anew for each test.
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

const der = (tag, ...parts) => {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)))
  const size = content.length
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 255]
  return Buffer.concat([Buffer.from([tag, ...length]), content])
}
const sequence = (...parts) => der(0x30, ...parts)
const bits = (bytes) => der(0x03, [0], bytes)
const oid = (hex) => der(0x06, Buffer.from(hex, 'hex'))
const TRUE = der(0x01, [255])
const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'))

const name = (text) => sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(text)))))
const day = (offset) => der(0x17, new Date(Date.now() + offset * 86_400_000).toISOString().replace(/^20|[-:T]|\.\d+/g, ''))
const pem = (bytes) => `-----BEGIN CERTIFICATE-----\n${bytes.toString('base64').replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`

/** Basic constraints for an authority, the address for a server. */
const AUTHORITY = sequence(oid('551d13'), TRUE, der(0x04, sequence(TRUE)))
const LOOPBACK = sequence(oid('551d11'), der(0x04, sequence(der(0x87, [127, 0, 0, 1]))))

function certificate(subject, publicKey, issuer, privateKey, extension) {
  const body = sequence(
    der(0xa0, der(0x02, [2])), der(0x02, [1, ...randomBytes(8)]), ECDSA_WITH_SHA256, name(issuer),
    sequence(day(-1), day(1)), name(subject), publicKey.export({ type: 'spki', format: 'der' }), der(0xa3, sequence(extension)),
  )
  return pem(sequence(body, ECDSA_WITH_SHA256, bits(sign('sha256', body, privateKey))))
}

/** `authority` is the file to trust; `cert` and `key` are for a server on 127.0.0.1. */
export function makeCertificates() {
  const [above, below] = [0, 1].map(() => generateKeyPairSync('ec', { namedCurve: 'P-256' }))
  return {
    authority: certificate('Test authority', above.publicKey, 'Test authority', above.privateKey, AUTHORITY),
    cert: certificate('Test server', below.publicKey, 'Test authority', above.privateKey, LOOPBACK),
    key: below.privateKey.export({ type: 'pkcs8', format: 'pem' }),
  }
}
