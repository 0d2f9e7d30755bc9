/** Pod names by namespace. */
export type PodsByNamespace = Readonly<Record<string, readonly string[]>>

/** Exactly these pods, all of them. */
export interface PodSelection {
  readonly mode: 'all'
  readonly selector: { readonly pods: PodsByNamespace }
}

/** An object that Chaos Mesh acts on once it is applied to a cluster. Only the fields that we set. */
export interface ChaosMeshManifest {
  readonly apiVersion: 'chaos-mesh.org/v1alpha1'
  readonly kind: 'PodChaos' | 'NetworkChaos'
  readonly metadata: {
    readonly name: string
    readonly namespace: string
    readonly labels: Readonly<Record<string, string>>
    readonly annotations: Readonly<Record<string, string>>
  }
  readonly spec: PodSelection & {
    readonly action: string
    /** A duration as Go writes it: `90s`, `1500ms`. */
    readonly duration: string
    readonly [field: string]: unknown
  }
}
