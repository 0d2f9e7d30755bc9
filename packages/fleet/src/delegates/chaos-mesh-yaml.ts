import { Document, Scalar, visit } from 'yaml'
import type { ChaosMeshManifest } from './manifest.js'

/** Writes manifests as one YAML text, as `kubectl` reads it. */
export function chaosMeshYaml(manifests: readonly ChaosMeshManifest[]): string {
  return manifests.map(documentText).join('---\n')
}

/** Names such as `no`, `1e3` and `0o7` stay texts for readers of YAML 1.1, of 1.2, and for those that mix them, as Kubernetes does. */
function documentText(manifest: ChaosMeshManifest): string {
  const document = new Document(manifest, { version: '1.1', aliasDuplicateObjects: false })
  visit(document, {
    Scalar: (_key, scalar) => {
      if (typeof scalar.value === 'string' && !/^[a-z]/i.test(scalar.value)) scalar.type = Scalar.QUOTE_SINGLE
    },
  })
  return document.toString({ singleQuote: true, lineWidth: 0, directives: false })
}
