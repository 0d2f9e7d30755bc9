/** Manifests as people write them by hand, with what the rendering never uses: labels, modes, reorder, devices. */
export const DOCUMENTS: Readonly<Record<string, string>> = {
  'a kill of one pod of many': `
apiVersion: chaos-mesh.org/v1alpha1
kind: PodChaos
metadata: { name: kill-a-cart }
spec:
  action: pod-kill
  mode: one
  selector: { namespaces: [shop], labelSelectors: { app: cart } }
  gracePeriod: 30
`,
  'a failure of a share of the pods on some nodes': `
apiVersion: chaos-mesh.org/v1alpha1
kind: PodChaos
metadata: { name: fail-a-third, namespace: shop, annotations: { team: cart } }
spec:
  action: pod-failure
  mode: fixed-percent
  value: "33"
  duration: 5m
  selector:
    nodes: [node-1]
    nodeSelectors: { zone: a }
    podPhaseSelectors: [Running]
    expressionSelectors: [{ key: tier, operator: In, values: [web] }]
`,
  'a kill of a sidecar': `
apiVersion: chaos-mesh.org/v1alpha1
kind: PodChaos
metadata: { name: kill-the-sidecar }
spec:
  action: container-kill
  mode: fixed
  value: "2"
  containerNames: [proxy]
  selector: { fieldSelectors: { status.phase: Running }, annotationSelectors: { mesh: "on" } }
`,
  'a partition between two groups': `
apiVersion: chaos-mesh.org/v1alpha1
kind: NetworkChaos
metadata: { name: cut-cart-from-stock }
spec:
  action: partition
  mode: all
  direction: both
  duration: 1m30s
  selector: { labelSelectors: { app: cart } }
  target: { mode: random-max-percent, value: "50", selector: { labelSelectors: { app: stock } } }
`,
  'a delay with reordering on one device': `
apiVersion: chaos-mesh.org/v1alpha1
kind: NetworkChaos
metadata: { name: slow-cart }
spec:
  action: delay
  mode: all
  device: eth1
  selector: { pods: { shop: [cart-0] } }
  delay: { latency: 90ms, jitter: 9.5ms, correlation: "25", reorder: { gap: 5, reorder: "0.5", correlation: "50" } }
  duration: 2h45m
`,
  'several shapes at once': `
apiVersion: chaos-mesh.org/v1alpha1
kind: NetworkChaos
metadata: { name: bad-link }
spec:
  action: netem
  mode: all
  selector: { pods: { shop: [cart-0] } }
  loss: { loss: "25" }
  duplicate: { duplicate: "40", correlation: "25" }
  corrupt: { corrupt: "0.1" }
  duration: 10s
`,
  'a narrow link to the outside': `
apiVersion: chaos-mesh.org/v1alpha1
kind: NetworkChaos
metadata: { name: narrow-link }
spec:
  action: bandwidth
  mode: all
  direction: to
  selector: { pods: { shop: [cart-0] } }
  externalTargets: [payments.example.com, 192.0.2.0/24]
  bandwidth: { rate: 100kbps, limit: 20000, buffer: 10000, peakrate: 1000000, minburst: 1600 }
  duration: 10s
`,
}
