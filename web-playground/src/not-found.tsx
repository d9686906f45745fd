export default function NotFound() {
  return (
    <p className="notice">
      There is no such page. The playground is at <a href="/">/</a>.
    </p>
  );
}
