export default function Page() {
  return <p>Webhooks go to /api/webhooks/clerk.</p>
}
